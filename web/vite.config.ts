import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

// `FACTOR_URL` points `vite dev` at a running server other than the default one.
const server = process.env.FACTOR_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
	plugins: [
		paraglideVitePlugin({
			project: './project.inlang',
			outdir: './src/lib/paraglide',
			strategy: ['globalVariable', 'baseLocale']
		}),
		sveltekit()
	],
	server: {
		proxy: {
			'/api': { target: server, changeOrigin: true, ws: true },
			'/healthz': { target: server, changeOrigin: true },
			'/ca.crt': { target: server, changeOrigin: true }
		}
	},
	test: { include: ['src/**/*.test.ts'], environment: 'node' }
});
