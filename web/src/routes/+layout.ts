// One page application: the server holds no renderer, the browser draws everything.
export const ssr = false;
export const prerender = false;
