import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { sveltekit } from '@sveltejs/kit/vite';
import { SvelteKitPWA } from '@vite-pwa/sveltekit';
import { defineConfig } from 'vitest/config';

// `FACTOR_URL` points `vite dev` at a running server other than the default one.
const server = process.env.FACTOR_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
	plugins: [
		paraglideVitePlugin({
			project: './project.inlang',
			outdir: './src/lib/paraglide',
			strategy: ['globalVariable', 'baseLocale']
		}),
		sveltekit(),
		// A page that was visited once opens also while the server is away. It holds the program, never an answer of the API.
		SvelteKitPWA({
			strategies: 'generateSW',
			registerType: 'autoUpdate',
			injectRegister: false,
			manifest: false,
			kit: { adapterFallback: 'index.html', spa: true },
			workbox: {
				inlineWorkboxRuntime: true,
				sourcemap: false,
				cleanupOutdatedCaches: true,
				// autoUpdate sets this only where the plug-in registers the worker itself; without it a tab that is reloaded after
				// an update of the server shows the old pages until the last tab is closed.
				skipWaiting: true,
				globPatterns: ['client/**/*.{js,css,svg,png,webmanifest}'],
				// What the server answers itself; everything else is a page.
				navigateFallbackDenylist: [
					/^\/api(\/|$)/,
					/^\/mqtt(\/|$)/,
					/^\/metrics$/,
					/^\/healthz$/,
					/^\/readyz$/,
					/^\/ca\.crt$/,
					/^\/plugin(\/|$)/,
					/^\/docs(\/|$)/
				],
				// 120 Korean subsets: only those a page has shown are kept.
				runtimeCaching: [
					{
						urlPattern: ({ sameOrigin, url }) => sameOrigin && url.pathname.endsWith('.woff2'),
						handler: 'CacheFirst',
						options: { cacheName: 'fonts', expiration: { maxEntries: 200 } }
					}
				]
			}
		})
	],
	server: {
		proxy: {
			'/api': { target: server, changeOrigin: true, ws: true },
			'/healthz': { target: server, changeOrigin: true },
			'/ca.crt': { target: server, changeOrigin: true },
			'/plugin': { target: server, changeOrigin: true },
			'/docs': { target: server, changeOrigin: true }
		}
	},
	test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
