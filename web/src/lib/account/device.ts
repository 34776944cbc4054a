/** What a session's user agent says in words people use, such as "Chrome · Windows"; undefined when it says nothing known. */
const browsers: [RegExp, string][] = [
	[/\bEdgA?\//, 'Edge'],
	[/\bWhale\//, 'Whale'],
	[/\bSamsungBrowser\//, 'Samsung Internet'],
	[/\bOPR\//, 'Opera'],
	[/\b(Firefox|FxiOS)\//, 'Firefox'],
	[/(Chrome|CriOS)\//, 'Chrome'],
	[/\bSafari\//, 'Safari'],
	[/^curl\//, 'curl']
];

const systems: [RegExp, string][] = [
	[/\biPhone\b/, 'iPhone'],
	[/\biPad\b/, 'iPad'],
	[/\bAndroid\b/, 'Android'],
	[/\bWindows\b/, 'Windows'],
	[/\bMac OS X\b/, 'Mac'],
	[/\bCrOS\b/, 'ChromeOS'],
	[/\bLinux\b/, 'Linux']
];

export function deviceName(userAgent: string): string | undefined {
	const find = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
	const parts = [find(browsers), find(systems)].filter(Boolean);
	return parts.length > 0 ? parts.join(' · ') : undefined;
}

/** Whether it is one held in the hand, for the icon. */
export function isHandheld(userAgent: string): boolean {
	return /\b(iPhone|iPad|Android|Mobile)\b/.test(userAgent);
}
