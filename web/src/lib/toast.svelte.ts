export interface Toast {
	id: number;
	tone: 'done' | 'error' | 'idle';
	text: string;
}

/** Short words about what just happened, shown for some seconds and read out by screen readers. */
class Toasts {
	list = $state<Toast[]>([]);
	#next = 1;

	done(text: string): void {
		this.#show('done', text, 5000);
	}

	say(text: string): void {
		this.#show('idle', text, 5000);
	}

	/** An error stays longer: it has to be read. */
	fail(text: string): void {
		this.#show('error', text, 10_000);
	}

	dismiss(id: number): void {
		this.list = this.list.filter((toast) => toast.id !== id);
	}

	#show(tone: Toast['tone'], text: string, ms: number): void {
		const id = this.#next++;
		this.list = [...this.list.slice(-3), { id, tone, text }];
		setTimeout(() => this.dismiss(id), ms);
	}
}

export const toasts = new Toasts();
