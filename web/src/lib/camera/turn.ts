import type { Camera } from '$lib/api/types';

type Turned = Pick<Camera, 'rotation' | 'flip_h' | 'flip_v'>;

/** Whether a camera lies on its side, so that its picture's width and height change places. */
export const onSide = (camera: Turned): boolean => (camera.rotation ?? 0) % 180 !== 0;

/**
 * How a camera's picture is to be shown, about its middle: mirrored first, then turned clockwise by quarters. The
 * matrix (a, b, c, d) as CSS and canvas write it.
 */
export function turnOf(camera: Turned): [a: number, b: number, c: number, d: number] {
	const [x, y] = [camera.flip_h ? -1 : 1, camera.flip_v ? -1 : 1];
	const [cos, sin] = ([[1, 0], [0, 1], [-1, 0], [0, -1]] as const)[((camera.rotation ?? 0) / 90) % 4] ?? [1, 0];
	return [cos * x + 0, sin * x + 0, -sin * y + 0, cos * y + 0];
}
