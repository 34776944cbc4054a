import {
	BufferAttribute,
	BufferGeometry,
	Color,
	ColorManagement,
	GridHelper,
	LineBasicMaterial,
	LinearSRGBColorSpace,
	LineSegments,
	Mesh,
	MeshBasicMaterial,
	PerspectiveCamera,
	Scene,
	SphereGeometry,
	Vector3,
	WebGLRenderer
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type { Segments } from './segments';

// The colours are what the page's tokens are: as they are to appear.
ColorManagement.enabled = false;

/** The lines in space. It draws only when something has changed. */
export class View {
	readonly #renderer: WebGLRenderer;
	readonly #scene = new Scene();
	readonly #camera = new PerspectiveCamera(40, 1, 0.1, 10_000);
	readonly #controls: OrbitControls;
	readonly #lines: LineSegments<BufferGeometry, LineBasicMaterial>;
	readonly #nozzle: Mesh;
	readonly #upTo: Uint32Array;
	readonly #size: ResizeObserver;
	#asked = 0;

	constructor(canvas: HTMLCanvasElement, segments: Segments) {
		this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
		this.#renderer.outputColorSpace = LinearSRGBColorSpace;
		this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
		this.#upTo = segments.upTo;
		const geometry = new BufferGeometry();
		geometry.setAttribute('position', new BufferAttribute(segments.positions, 3));
		geometry.setAttribute('color', new BufferAttribute(segments.colours, 3, true));
		this.#lines = new LineSegments(geometry, new LineBasicMaterial({ vertexColors: true }));
		this.#scene.add(this.#lines);
		this.#nozzle = new Mesh(new SphereGeometry(1.2, 16, 12), new MeshBasicMaterial({ color: new Color('#e8590c'), depthTest: false }));
		this.#nozzle.visible = false;
		this.#nozzle.renderOrder = 1;
		this.#scene.add(this.#nozzle);

		const [x0, y0, z0] = segments.min;
		const [x1, y1, z1] = segments.max;
		const middle = new Vector3((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2);
		const reach = Math.max(x1 - x0, y1 - y0, z1 - z0, 10);
		const floor = new GridHelper(Math.ceil((reach * 1.6) / 20) * 20, Math.ceil((reach * 1.6) / 20) * 2, 0x8a93a1, 0x8a93a1);
		floor.rotation.x = Math.PI / 2;
		floor.position.set(middle.x, middle.y, 0);
		floor.material.transparent = true;
		floor.material.opacity = 0.25;
		this.#scene.add(floor);
		this.#camera.up.set(0, 0, 1);
		this.#camera.position.set(middle.x - reach * 0.9, middle.y - reach * 1.7, middle.z + reach * 1.1);
		this.#controls = new OrbitControls(this.#camera, canvas);
		this.#controls.target.copy(middle);
		this.#controls.maxDistance = reach * 8;
		this.#controls.minDistance = reach / 50;
		this.#controls.addEventListener('change', () => this.#ask());
		this.#controls.update();
		this.#size = new ResizeObserver(() => this.#fit());
		this.#size.observe(canvas.parentElement ?? canvas);
		this.#fit();
	}

	/** Shows the layers up to this one, or it alone. Counted from 0. */
	show(layer: number, alone: boolean): void {
		const before = alone && layer > 0 ? (this.#upTo[layer - 1] ?? 0) : 0;
		this.#lines.geometry.setDrawRange(before, (this.#upTo[layer] ?? 0) - before);
		this.#ask();
	}

	/** Puts a mark where the nozzle is about, or takes it away. */
	mark(place: readonly [number, number, number] | undefined): void {
		this.#nozzle.visible = !!place;
		if (place) this.#nozzle.position.set(...place);
		this.#ask();
	}

	turn(by: number): void {
		const from = this.#camera.position.clone().sub(this.#controls.target);
		from.applyAxisAngle(this.#camera.up, by);
		this.#camera.position.copy(this.#controls.target).add(from);
		this.#controls.update();
		this.#ask();
	}

	zoom(by: number): void {
		const from = this.#camera.position.clone().sub(this.#controls.target).multiplyScalar(by);
		this.#camera.position.copy(this.#controls.target).add(from);
		this.#controls.update();
		this.#ask();
	}

	close(): void {
		cancelAnimationFrame(this.#asked);
		this.#size.disconnect();
		this.#controls.dispose();
		this.#lines.geometry.dispose();
		this.#lines.material.dispose();
		this.#renderer.dispose();
	}

	#fit(): void {
		const box = this.#renderer.domElement.parentElement;
		if (!box || !box.clientWidth || !box.clientHeight) return;
		this.#renderer.setSize(box.clientWidth, box.clientHeight, false);
		this.#camera.aspect = box.clientWidth / box.clientHeight;
		this.#camera.updateProjectionMatrix();
		this.#ask();
	}

	#ask(): void {
		cancelAnimationFrame(this.#asked);
		this.#asked = requestAnimationFrame(() => this.#renderer.render(this.#scene, this.#camera));
	}
}
