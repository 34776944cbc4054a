/**
 * Puts text on the clipboard; false when the browser will not. A page opened over plain HTTP in the home network has
 * no clipboard API, so the old way is tried as well.
 */
export async function copyText(text: string): Promise<boolean> {
	try {
		if (navigator.clipboard) {
			await navigator.clipboard.writeText(text);
			return true;
		}
	} catch {
		// Refused: try the old way.
	}
	const area = document.createElement('textarea');
	area.value = text;
	area.setAttribute('readonly', '');
	area.className = 'sr-only';
	// Inside an open dialog: all else is inert and cannot be selected.
	(document.querySelector('dialog[open]') ?? document.body).append(area);
	area.select();
	try {
		return document.execCommand('copy');
	} catch {
		return false;
	} finally {
		area.remove();
	}
}
