export function registerPanels(): void {}
