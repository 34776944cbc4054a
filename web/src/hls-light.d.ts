/** The build without subtitles and DRM has the same types as the whole one, and brings none of its own. */
declare module 'hls.js/light' {
	export * from 'hls.js';
	export { default } from 'hls.js';
}
