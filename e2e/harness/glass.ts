import type { Page } from '@playwright/test';

/** What a viewer saw of a camera that has internal/sim/scene's clock burnt into its picture. */
export interface Seen {
  /** From the moment that the picture shows to the one in which it could be read from the screen, ms, in order. */
  delays: number[];
  /** Pictures whose clock could be read, each another one. */
  frames: number;
  /** Pictures without a clock that could be read. */
  unread: number;
}

/**
 * Looks at the shown picture at each repaint of the page, until so many different ones have been read or the time is over,
 * and reads the clock from its pixels: decoding, drawing and reading are part of the delay. The camera must run on this
 * machine.
 */
export const watch = (page: Page, frames: number, limit = 60_000): Promise<Seen> =>
  page.evaluate(
    async ([frames, limit]) => {
      // The geometry of internal/sim/scene: nine digits of seven segments each, at the lower left.
      const SEGMENTS = [0b1110111, 0b0010010, 0b1011101, 0b1011011, 0b0111010, 0b1101011, 0b1101111, 0b1010010, 0b1111111, 0b1111011];
      const canvas = document.createElement('canvas');
      const paper = canvas.getContext('2d', { willReadFrequently: true })!;
      /** ms of the UTC day; undefined: no clock can be read. */
      const read = (): number | undefined => {
        const shown = document.querySelector<HTMLVideoElement | HTMLCanvasElement>(
          '[data-camera] video:not(.waiting), [data-camera] canvas:not(.waiting)',
        );
        if (!shown) return undefined;
        const [w, h] = shown instanceof HTMLVideoElement ? [shown.videoWidth, shown.videoHeight] : [shown.width, shown.height];
        if (!w || !h) return undefined;
        const unit = Math.max(Math.floor(h / 90), 1);
        const [dx, dy] = [4 * unit, 7 * unit];
        const [width, height] = [9 * (dx + unit) + 9 * unit, dy + 4 * unit];
        if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
        paper.drawImage(shown, 2 * unit, h - dy - 6 * unit, width, height, 0, 0, width, height);
        const pixels = paper.getImageData(0, 0, width, height).data;
        const bright = (x: number, y: number) => {
          const i = 4 * (Math.floor(y) * width + Math.floor(x));
          return pixels[i]! + pixels[i + 1]! + pixels[i + 2]! > 3 * 128;
        };
        const half = Math.floor(unit / 2);
        const mid = Math.floor(dy / 2);
        let x = 2 * unit;
        const y = 2 * unit;
        const digits: number[] = [];
        for (let i = 0; i < 9; i++) {
          if (i === 2 || i === 4 || i === 6) x += 2 * unit;
          const points = [
            [dx / 2, half],
            [half, dy / 4 + half],
            [dx - 1 - half, dy / 4 + half],
            [dx / 2, mid],
            [half, (dy * 3) / 4 - half],
            [dx - 1 - half, (dy * 3) / 4 - half],
            [dx / 2, dy - 1 - half],
          ];
          const on = points.reduce((sum, [px, py]) => (sum << 1) | (bright(x + px!, y + py!) ? 1 : 0), 0);
          const digit = SEGMENTS.indexOf(on);
          if (digit < 0) return undefined;
          digits.push(digit);
          x += dx + unit;
        }
        const two = (i: number) => digits[i]! * 10 + digits[i + 1]!;
        return ((two(0) * 60 + two(2)) * 60 + two(4)) * 1000 + digits[6]! * 100 + digits[7]! * 10 + digits[8]!;
      };
      const DAY = 86_400_000;
      const seen = { delays: [] as number[], frames: 0, unread: 0 };
      const end = performance.now() + limit;
      let last: number | undefined;
      while (seen.frames < frames && performance.now() < end) {
        await new Promise(requestAnimationFrame);
        const at = read();
        if (at === undefined) {
          seen.unread++;
          continue;
        }
        if (at === last) continue;
        last = at;
        seen.frames++;
        let delay = (Date.now() % DAY) - at;
        if (delay < -DAY / 2) delay += DAY;
        seen.delays.push(delay);
      }
      return seen;
    },
    [frames, limit] as const,
  );

export const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
