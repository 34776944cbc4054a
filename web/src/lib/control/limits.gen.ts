/** Made from internal/wire by `go run ./scripts/limits`: change it there. */

/** The most that an owner can allow, °C. */
export const highest = { tool: 500, bed: 200, chamber: 150 } as const;
/** What counts where the owner has set nothing, °C. */
export const usual = { tool: 300, bed: 130, chamber: 80 } as const;
/** Bytes of a line of the terminal or of a macro. */
export const maxLine = 250;
/** Lines of a macro. */
export const maxLines = 100;
/** Bytes of a file's name. */
export const maxFileName = 255;
