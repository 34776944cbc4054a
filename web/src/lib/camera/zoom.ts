/** Which part of a picture is shown: scale from 1, and how far its middle is moved, in parts of the place's size. */
export interface Zoom {
	scale: number;
	x: number;
	y: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
export const MAX_SCALE = 6;

/** Keeps the picture over the whole place: no edge of it comes inside. */
function keep({ scale, x, y }: Zoom): Zoom {
	const s = Math.min(Math.max(scale, 1), MAX_SCALE);
	const reach = (s - 1) / 2;
	const within = (v: number) => Math.min(Math.max(v, -reach), reach) + 0;
	return { scale: s, x: within(x), y: within(y) };
}

/** Zooms by a factor; the point at (px, py), in parts of the place from its middle, stays where it is. */
export function zoomAt(zoom: Zoom, factor: number, px: number, py: number): Zoom {
	const scale = Math.min(Math.max(zoom.scale * factor, 1), MAX_SCALE);
	const grown = scale / zoom.scale;
	return keep({ scale, x: px - (px - zoom.x) * grown, y: py - (py - zoom.y) * grown });
}

/** Moves the picture by parts of the place's size. */
export function pan(zoom: Zoom, dx: number, dy: number): Zoom {
	return keep({ ...zoom, x: zoom.x + dx, y: zoom.y + dy });
}
