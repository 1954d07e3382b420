/** How much room the window gives; the same widths as in `app.css`. */

const matches = (width: number) => matchMedia(`(max-width: ${width}px)`);

/** Below this the canvas would be too small between two panels: one side is open at a time. */
export const forOneSide = (): MediaQueryList => matches(1399);

/** A phone: a panel lies over the canvas. */
export const isPhone = (): boolean => matches(640).matches;
