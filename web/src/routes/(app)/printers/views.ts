/** How the dashboard can show its printers. */
export const views = ['cards', 'table', 'wall', 'cameras'] as const;
export type View = (typeof views)[number];
