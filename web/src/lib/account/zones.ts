/** Time zones grouped by their area, for a select; each with its offset now. */
export interface ZoneGroup {
	area: string;
	zones: { id: string; label: string }[];
}

/** "UTC+9", "UTC−3:30" */
export function offsetOf(zone: string, at: Date = new Date()): string {
	const part = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' })
		.formatToParts(at)
		.find(({ type }) => type === 'timeZoneName');
	return (part?.value ?? '').replace('GMT', 'UTC').replace('-', '−');
}

/** All zones the browser knows, and `current` even if it does not list it. */
export function zoneGroups(current: string): ZoneGroup[] {
	const ids = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', current]);
	const groups = new Map<string, ZoneGroup>();
	for (const id of [...ids].sort()) {
		const [area = id, ...rest] = id.split('/');
		const name = (rest.length > 0 ? rest.join(' / ') : id).replaceAll('_', ' ');
		const group = groups.get(area) ?? { area, zones: [] };
		group.zones.push({ id, label: `${name} (${offsetOf(id)})` });
		groups.set(area, group);
	}
	return [...groups.values()];
}
