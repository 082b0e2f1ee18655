/** @returns whether a key is pressed for the app itself: nothing is typed, no dialog is open, and the browser's own keys stay its own */
export function isFreeKey(event: KeyboardEvent): boolean {
  return (
    !event.defaultPrevented &&
    !(event.ctrlKey || event.metaKey || event.altKey) &&
    !isTyping(event.target) &&
    document.querySelector('dialog[open]') === null
  )
}

export function isTyping(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}
