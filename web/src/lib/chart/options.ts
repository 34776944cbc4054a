import type UPlot from 'uplot';
import type { Line } from './columns';

/** The token of a heater's colour. Nozzles beyond the first take colours that no other heater has. */
function token(heater: string): string {
	const tool = /^tool(\d+)$/.exec(heater);
	if (tool) return ['--nozzle', '--done', '--paused', '--error'][Number(tool[1]) % 4] ?? '--nozzle';
	if (heater === 'bed') return '--bed';
	return heater === 'chamber' ? '--chamber' : '--idle';
}

/** For styles: `var(--nozzle)` and so on. */
export function lineColour(heater: string): string {
	return `var(${token(heater)})`;
}

interface Words {
	zone: string;
	clock: (time: number) => string;
	number: (value: number) => string;
}

/**
 * uPlot brought to our tokens, to the viewer's time zone and language. Colours are read once: a canvas knows no CSS
 * variables, so the chart is made anew when the theme changes.
 */
export function chartOptions(
	Chart: typeof UPlot,
	holder: HTMLElement,
	lines: Line[],
	words: Words,
	onPlace: (place: number | null) => void
): UPlot.Options {
	const style = getComputedStyle(holder);
	const colour = (name: string) => style.getPropertyValue(name).trim();
	const axis = {
		stroke: colour('--ink-3'),
		font: `12px ${style.fontFamily}`,
		ticks: { show: false },
		border: { show: false }
	};
	const narrow = holder.clientWidth < 480;
	return {
		width: Math.max(holder.clientWidth, 200),
		height: narrow ? 220 : 260,
		padding: [10, 18, 0, 0],
		tzDate: (seconds) => Chart.tzDate(new Date(seconds * 1000), words.zone),
		legend: { show: false },
		cursor: {
			drag: { x: false, y: false },
			y: false,
			// A target is a wish, no reading: no dot on it.
			points: { size: (_, index) => (lines[index - 1]?.kind === 'actual' ? 7 : 0) }
		},
		hooks: { setCursor: [(plot) => onPlace(placeUnder(plot))] },
		scales: {
			x: { time: true, auto: false },
			y: { range: (_, __, max) => [0, Math.max(60, Math.ceil(((max ?? 0) * 1.06) / 20) * 20)] }
		},
		axes: [
			{
				...axis,
				grid: { show: false },
				space: narrow ? 64 : 90,
				size: 28,
				values: (_, splits) => splits.map((split) => words.clock(split * 1000))
			},
			{
				...axis,
				grid: { stroke: colour('--line'), width: 1 },
				size: 38,
				gap: 6,
				space: 38,
				incrs: [5, 10, 20, 30, 60, 100],
				values: (_, splits) => splits.map((split) => words.number(split))
			}
		],
		series: [
			{},
			...lines.map((line) => ({
				stroke: colour(token(line.heater)),
				width: line.kind === 'actual' ? 2 : 1.25,
				dash: line.kind === 'target' ? [3, 4] : undefined,
				alpha: line.kind === 'target' ? 0.75 : 1,
				// A line needs two places; a first reading is shown as a dot.
				points: { show: (_plot: UPlot, _line: number, first: number, last: number) => line.kind === 'actual' && last - first < 1, size: 5 },
				spanGaps: false
			}))
		]
	};
}

/** The place of the reading under the pointer; null when the nearest is too far away to be meant. */
function placeUnder(plot: UPlot): number | null {
	const { left, idx } = plot.cursor;
	const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
	if (left === undefined || left < 0 || at === undefined) return null;
	return Math.abs(plot.valToPos(at, 'x') - left) <= 24 ? (idx ?? null) : null;
}
