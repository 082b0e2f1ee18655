/** @returns whether a key press is a shortcut of the app: the user is not typing, no dialog is open, and it is no shortcut of the browser */
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
