import { makeVideo } from './source';

/** Shows a picture in a window over all others. A canvas has none, so a video of it goes there. */
export async function floatPicture(element: HTMLVideoElement | HTMLCanvasElement): Promise<void> {
	if (element instanceof HTMLVideoElement) {
		await element.requestPictureInPicture();
		return;
	}
	const stream = element.captureStream();
	const video = makeVideo();
	video.srcObject = stream;
	const end = () => {
		for (const track of stream.getTracks()) track.stop();
		video.srcObject = null;
	};
	video.addEventListener('leavepictureinpicture', end);
	try {
		await video.play();
		await video.requestPictureInPicture();
	} catch (why) {
		end();
		throw why;
	}
}
