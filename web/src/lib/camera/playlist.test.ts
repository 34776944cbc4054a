import { describe, expect, test } from 'vitest';
import { follow, parseIndex, parseMedia } from './playlist';

const text = `#EXTM3U
#EXT-X-VERSION:10
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.52000,CAN-SKIP-UNTIL=6.00000
#EXT-X-PART-INF:PART-TARGET=0.20800
#EXT-X-MEDIA-SEQUENCE:5
#EXT-X-MAP:URI="a_init.mp4?session=x,y"
#EXT-X-GAP
#EXTINF:1.05512,
gap.mp4
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T18:15:10.922Z
#EXT-X-PART:DURATION=0.20800,URI="a_part0.mp4?session=x,y",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.16812,URI="a_part1.mp4?session=x,y"
#EXTINF:1.05512,
a_seg6.mp4?session=x,y
#EXT-X-PART:DURATION=0.20800,URI="a_part2.mp4?session=x,y",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20700,URI="a_part3.mp4?session=x,y"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="a_part4.mp4?session=x,y"
`;
const uri = (n: number) => `a_part${n}.mp4?session=x,y`;

test('a media playlist tells its parts, and which comes next', () => {
	const media = parseMedia(text.replaceAll('\n', '\r\n'))!;
	expect(media.init).toBe('a_init.mp4?session=x,y');
	expect(media.hint).toBe(uri(4));
	expect(media.next).toEqual({ segment: 7, index: 2 });
	expect(media.parts).toEqual([
		{ uri: uri(0), segment: 6, index: 0, duration: 0.208, independent: true },
		{ uri: uri(1), segment: 6, index: 1, duration: 0.16812, independent: false },
		{ uri: uri(2), segment: 7, index: 0, duration: 0.208, independent: true },
		{ uri: uri(3), segment: 7, index: 1, duration: 0.207, independent: false }
	]);
});

test.each(['', '#EXTM3U\n', 'not found', '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n#EXT-X-MAP:URI="i"\n'])('%j is no media playlist', (other) => {
	expect(parseMedia(other)).toBeUndefined();
});

test('a multivariant playlist tells its stream and the codecs', () => {
	const index = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360\nv.m3u8?session=x\n';
	expect(parseIndex(index)).toEqual({ uri: 'v.m3u8?session=x', codecs: 'avc1.42c01e,mp4a.40.2' });
	expect(parseIndex('#EXTM3U\n')).toBeUndefined();
	expect(parseIndex('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8')).toBeUndefined();
});

describe('parts to fetch', () => {
	const { parts } = parseMedia(text)!;
	const uris = (list: readonly { uri: string }[]) => list.map((part) => part.uri);
	test('somebody new begins with the last key frame', () => expect(uris(follow(parts, undefined))).toEqual([uri(2), uri(3)]));
	test('who has one gets what follows', () => expect(uris(follow(parts, parts[0]))).toEqual([uri(1), uri(2), uri(3)]));
	test('who has all gets nothing', () => expect(follow(parts, parts[3])).toEqual([]));
	test('who was away begins with the last key frame', () =>
		expect(uris(follow(parts, { ...parts[0]!, segment: 2 }))).toEqual([uri(2), uri(3)]));
	test('who is far behind does, too', () => {
		const long = parts.map((part) => ({ ...part, duration: 1 }));
		expect(uris(follow(long, long[0]))).toEqual([uri(2), uri(3)]);
	});
	test('without a key frame there is nothing to begin with', () => expect(follow(parts.slice(1, 2), undefined)).toEqual([]));
});
