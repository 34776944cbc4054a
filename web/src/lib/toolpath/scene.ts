import { BufferAttribute, BufferGeometry, ColorManagement, GridHelper, LineBasicMaterial, LinearSRGBColorSpace, LineSegments, PerspectiveCamera, Scene, Sphere, Vector3, WebGLRenderer } from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type { Toolpath } from './format';
import { countOf, rangesOf, takeOf, type Lines, type Range } from './lines';
import { Pace } from './pace';

// The colours are what the page's tokens are: as they are to appear.
ColorManagement.enabled = false;

/** ms of drawing at a time: while the picture is turned, and while it stands and gets finer. */
const TURNING = 40;
const STANDING = 120;
/** ms after the last touch until the picture stands. */
const REST = 150;

/**
 * The lines in space. A picture is drawn in pieces, each as long as this machine can bear, upon what is there: coarse first,
 * whole in the end. Nothing is drawn before the piece before it is on the screen, and nothing when nothing has changed.
 */
export class View {
	readonly #renderer: WebGLRenderer;
	readonly #gl: WebGL2RenderingContext;
	readonly #scene = new Scene();
	readonly #camera = new PerspectiveCamera(40, 1, 0.1, 10_000);
	readonly #controls: OrbitControls;
	readonly #path: Toolpath;
	readonly #lines: Lines;
	readonly #points: BufferAttribute;
	readonly #thing: LineSegments<BufferGeometry, LineBasicMaterial[]>;
	readonly #floor: GridHelper;
	readonly #nozzle: HTMLElement;
	readonly #size: ResizeObserver;
	readonly #pace = new Pace();
	readonly #sharp: number;
	readonly #drawn: (whole: boolean) => void;

	#have = 0; // points that have come
	#layer = 0;
	#alone = false;
	#place: readonly [number, number, number] | undefined;

	#ranges: Range[] = []; // what the picture lacks
	#shown = 0; // layers that the picture has, or is to have
	#anew = true;
	#turning = false;
	#rest: ReturnType<typeof setTimeout> | undefined;
	#asked = 0;
	#sync: WebGLSync | null = null; // of the last piece, until it is on the screen
	#sent = 0;
	#sentCount = 0;

	/** `drawn` is told whenever a piece is on the screen, and whether the picture is whole with it. */
	constructor(canvas: HTMLCanvasElement, nozzle: HTMLElement, path: Toolpath, lines: Lines, drawn: (whole: boolean) => void) {
		this.#path = path;
		this.#lines = lines;
		this.#nozzle = nozzle;
		this.#drawn = drawn;
		// Where a point of the screen is small, smoothing edges costs much and is not seen.
		this.#renderer = new WebGLRenderer({ canvas, antialias: devicePixelRatio < 2, alpha: true, preserveDrawingBuffer: true });
		this.#gl = this.#renderer.getContext() as WebGL2RenderingContext;
		this.#renderer.outputColorSpace = LinearSRGBColorSpace;
		this.#renderer.autoClear = false;
		this.#sharp = Math.min(devicePixelRatio, 2);
		const geometry = new BufferGeometry();
		// As they came: 16 bits an axis, which the thing's place and scale make millimetres. The fourth is not read.
		this.#points = new BufferAttribute(path.points, 4);
		geometry.setAttribute('position', this.#points);
		geometry.setAttribute('color', new BufferAttribute(lines.colours, 4, true));
		geometry.setIndex(new BufferAttribute(lines.index, 1));
		geometry.boundingSphere = new Sphere(new Vector3(), Infinity);
		this.#thing = new LineSegments(geometry, [new LineBasicMaterial({ vertexColors: true })]);
		this.#thing.frustumCulled = false;
		this.#thing.position.set(...path.origin);
		this.#thing.scale.set(...path.step);
		this.#scene.add(this.#thing);

		const [[x0, y0, z0], [x1, y1, z1]] = path.box;
		const middle = new Vector3((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2);
		const reach = Math.max(x1 - x0, y1 - y0, z1 - z0, 10);
		this.#floor = new GridHelper(Math.ceil((reach * 1.6) / 20) * 20, Math.ceil((reach * 1.6) / 20) * 2, 0x8a93a1, 0x8a93a1);
		this.#floor.rotation.x = Math.PI / 2;
		this.#floor.position.set(middle.x, middle.y, 0);
		this.#floor.material.transparent = true;
		this.#floor.material.opacity = 0.25;
		this.#scene.add(this.#floor);
		this.#camera.up.set(0, 0, 1);
		this.#camera.position.set(middle.x - reach * 0.9, middle.y - reach * 1.7, middle.z + reach * 1.1);
		this.#controls = new OrbitControls(this.#camera, canvas);
		this.#controls.target.copy(middle);
		this.#controls.maxDistance = reach * 8;
		this.#controls.minDistance = reach / 50;
		this.#controls.addEventListener('change', () => this.#turned());
		this.#controls.update();
		this.#size = new ResizeObserver(() => this.#fit());
		this.#size.observe(canvas.parentElement ?? canvas);
		this.#fit();
	}

	/** Points that have come, into their place. */
	add(points: Uint16Array<ArrayBuffer>, at: number): void {
		this.#path.points.set(points, at);
		this.#points.addUpdateRange(at, points.length);
		this.#points.needsUpdate = true;
		this.#have = (at + points.length) / 4;
		this.#more();
	}

	/** Shows the layers up to this one, or it alone. Counted from 0. */
	show(layer: number, alone: boolean): void {
		const grows = !alone && !this.#alone && layer >= this.#layer;
		this.#layer = layer;
		this.#alone = alone;
		if (grows) this.#more();
		else this.#again();
	}

	/** Puts a mark where the nozzle is about, or takes it away. */
	mark(place: readonly [number, number, number] | undefined): void {
		this.#place = place;
		this.#moveMark();
	}

	turn(by: number): void {
		const from = this.#camera.position.clone().sub(this.#controls.target);
		from.applyAxisAngle(this.#camera.up, by);
		this.#camera.position.copy(this.#controls.target).add(from);
		this.#controls.update();
	}

	zoom(by: number): void {
		const from = this.#camera.position.clone().sub(this.#controls.target).multiplyScalar(by);
		this.#camera.position.copy(this.#controls.target).add(from);
		this.#controls.update();
	}

	close(): void {
		cancelAnimationFrame(this.#asked);
		clearTimeout(this.#rest);
		this.#gl.deleteSync(this.#sync);
		this.#size.disconnect();
		this.#controls.dispose();
		this.#thing.geometry.dispose();
		for (const material of this.#thing.material) material.dispose();
		this.#floor.dispose();
		this.#renderer.dispose();
	}

	#turned(): void {
		this.#turning = true;
		clearTimeout(this.#rest);
		this.#rest = setTimeout(() => {
			this.#turning = false;
			this.#again();
		}, REST);
		this.#anew = true;
		this.#ask();
	}

	#fit(): void {
		const box = this.#renderer.domElement.parentElement;
		if (!box || !box.clientWidth || !box.clientHeight) return;
		this.#camera.aspect = box.clientWidth / box.clientHeight;
		this.#camera.updateProjectionMatrix();
		this.#resize(this.#sharp);
		this.#again();
	}

	/** Sizes the picture for so many of its points to one of the page's. */
	#resize(ratio: number): void {
		const box = this.#renderer.domElement.parentElement!;
		const size = this.#renderer.domElement;
		if (size.width === Math.floor(box.clientWidth * ratio) && size.height === Math.floor(box.clientHeight * ratio)) return;
		this.#renderer.setPixelRatio(ratio);
		this.#renderer.setSize(box.clientWidth, box.clientHeight, false);
		this.#anew = true;
	}

	/** Layers whose points are there, of those that are asked for. */
	#ready(): number {
		const { points } = this.#lines;
		let n = Math.min(this.#layer + 1, points.length);
		while (n > 0 && (points[n - 1] ?? 0) > this.#have) n--;
		return n;
	}

	#again(): void {
		this.#anew = true;
		this.#ask();
	}

	/** Adds what has come or is asked for since to the picture that is there. */
	#more(): void {
		const ready = this.#ready();
		if (this.#anew || this.#turning || this.#alone || ready < this.#shown) return this.#again();
		this.#ranges.push(...rangesOf(this.#lines.parts, this.#shown, ready));
		this.#shown = ready;
		this.#ask();
	}

	#ask(): void {
		if (!this.#asked) this.#asked = requestAnimationFrame(() => this.#frame());
	}

	#frame(): void {
		this.#asked = 0;
		if (this.#sync) {
			if (this.#gl.getSyncParameter(this.#sync, this.#gl.SYNC_STATUS) !== this.#gl.SIGNALED) return this.#ask();
			this.#gl.deleteSync(this.#sync);
			this.#sync = null;
			this.#pace.took(this.#sentCount, performance.now() - this.#sent);
			this.#drawn(!this.#anew && !this.#turning && this.#ranges.length === 0 && this.#shown === this.#layer + 1);
		}
		if (this.#anew) this.#begin();
		else if (this.#ranges.length > 0 && !this.#turning) this.#draw(takeOf(this.#ranges, this.#pace.within(STANDING)));
	}

	/** The picture's first piece, on an empty floor. */
	#begin(): void {
		const ready = this.#ready();
		const from = this.#alone ? Math.min(this.#layer, ready) : 0;
		this.#ranges = rangesOf(this.#lines.parts, from, ready);
		this.#shown = ready;
		let first: Range[];
		if (this.#turning) {
			const budget = this.#pace.within(TURNING);
			const whole = countOf(this.#ranges) <= budget;
			this.#resize(whole ? this.#sharp : Math.min(this.#sharp, 1));
			const sketches = this.#lines.sketches.map((part) => [...rangesOf([part], from, Math.max(from, ready - 1)), ...rangesOf(this.#lines.parts, Math.max(from, ready - 1), ready)]);
			first = whole ? this.#ranges : (sketches.findLast((ranges) => countOf(ranges) <= budget) ?? takeOf(sketches[0]!, budget));
			this.#ranges = [];
		} else {
			this.#resize(this.#sharp);
			first = takeOf(this.#ranges, this.#pace.within(STANDING));
		}
		this.#anew = false;
		this.#renderer.clear();
		this.#floor.visible = true;
		this.#draw(first);
		this.#floor.visible = false;
		this.#moveMark();
	}

	#draw(ranges: Range[]): void {
		const { geometry } = this.#thing;
		geometry.groups = ranges.map(({ start, count }) => ({ start, count, materialIndex: 0 }));
		this.#thing.visible = ranges.length > 0;
		this.#sent = performance.now();
		this.#sentCount = countOf(ranges);
		this.#renderer.render(this.#scene, this.#camera);
		this.#sync = this.#gl.fenceSync(this.#gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
		this.#gl.flush();
		this.#ask();
	}

	/** The mark lies over the picture, which so need not be drawn anew for it. */
	#moveMark(): void {
		const box = this.#renderer.domElement.parentElement;
		this.#nozzle.hidden = !this.#place;
		if (!this.#place || !box) return;
		const at = new Vector3(...this.#place).project(this.#camera);
		this.#nozzle.style.transform = `translate(${((at.x + 1) / 2) * box.clientWidth}px, ${((1 - at.y) / 2) * box.clientHeight}px)`;
		this.#nozzle.hidden = Math.abs(at.z) > 1;
	}
}
