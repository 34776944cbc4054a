/** Time between two single pictures, ms. */
export const PICTURE_INTERVAL = 2_000;

/** When a picture was captured, as its header says it: Unix seconds by the server's clock. */
export function capturedAt(value: string | null | undefined): number | undefined {
	const at = Number(value);
	return value && Number.isFinite(at) && at > 0 ? at : undefined;
}
