import type { Camera } from '$lib/api/types';
import { onSide, turnOf } from './turn';

/** Saves what an element shows as a JPEG, turned as the viewer sees it. Rejects when there is no picture yet. */
export async function savePicture(element: HTMLVideoElement | HTMLCanvasElement, camera: Camera, name: string): Promise<void> {
	const width = element instanceof HTMLVideoElement ? element.videoWidth : element.width;
	const height = element instanceof HTMLVideoElement ? element.videoHeight : element.height;
	if (!width || !height) throw new Error('no picture yet');
	const canvas = document.createElement('canvas');
	[canvas.width, canvas.height] = onSide(camera) ? [height, width] : [width, height];
	const paper = canvas.getContext('2d');
	if (!paper) throw new Error('no canvas');
	paper.translate(canvas.width / 2, canvas.height / 2);
	paper.transform(...turnOf(camera), 0, 0);
	paper.drawImage(element, -width / 2, -height / 2);
	const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
	if (!blob) throw new Error('no picture');
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = fileName(name, camera.name, new Date());
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Such as "Voron 2.4 – Nozzle 2026-11-26 18.42.05.jpg", without what file systems refuse. */
export function fileName(printer: string, camera: string, at: Date): string {
	const two = (n: number) => String(n).padStart(2, '0');
	const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
	const time = `${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`;
	const safe = `${printer} – ${camera} ${day} ${time}`.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_');
	return `${safe}.jpg`;
}
