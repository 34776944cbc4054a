import { parseToolpath } from './format';
import { segmentsOf } from './segments';

/** Takes the server's answer apart beside the page, which stays smooth meanwhile. */
self.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
	try {
		const segments = segmentsOf(parseToolpath(data));
		self.postMessage({ segments }, { transfer: [segments.positions.buffer, segments.colours.buffer, segments.upTo.buffer] });
	} catch (thrown) {
		self.postMessage({ error: thrown instanceof Error ? thrown.message : String(thrown) });
	}
};
