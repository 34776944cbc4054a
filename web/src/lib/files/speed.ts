const WINDOW = 8_000;

/** How fast something goes, over the last seconds: a mean that neither jumps nor remembers what is long past. */
export class Speed {
	#samples: { at: number; bytes: number }[] = [];

	/** bytes so far, at a time in ms. */
	add(bytes: number, at: number): void {
		const last = this.#samples.at(-1);
		if (last && bytes < last.bytes) this.#samples = []; // begun anew
		this.#samples.push({ at, bytes });
		while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > WINDOW) this.#samples.shift();
	}

	/** Bytes per second; undefined until it can be told. */
	get value(): number | undefined {
		const first = this.#samples[0];
		const last = this.#samples.at(-1);
		if (!first || !last || last.at - first.at < 500) return undefined;
		return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
	}

	clear(): void {
		this.#samples = [];
	}
}
