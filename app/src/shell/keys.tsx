import { useEffect } from 'react'
import { flushSync } from 'react-dom'
import { useLocation } from 'wouter'
import { Sheet } from '../design/dialogs/sheet.tsx'
import { isFreeKey, isTyping } from '../device/free-key.ts'
import { words } from '../text/words.ts'

const KEYS: ReadonlyArray<readonly [string, string]> = [
  ['/', words.keys.search],
  ['n', words.keys.create],
  ['j  k', words.keys.move],
  ['Enter', words.keys.open],
  [',  .', words.keys.change],
  ['Ctrl Enter', words.keys.send],
  ['Esc', words.keys.close],
  ['?', words.keys.help],
]

/** Shortcuts for every screen; none works while the user types or a dialog is open. */
export function useKeys(onHelp: () => void): void {
  const [path, navigate] = useLocation()
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && isTyping(event.target) && !document.querySelector('dialog[open]')) return event.target.blur()
      if (!isFreeKey(event)) return
      const act = {
        '/': goSearch,
        n: () => navigate('/new'),
        j: () => moveRow(1),
        k: () => moveRow(-1),
        '?': onHelp,
        Escape: goBack,
      }[event.key]
      if (!act) return
      event.preventDefault()
      act()
    }
    const goSearch = () => {
      // The list must be there before the next key, which is already the first letter of the search.
      if (path !== '/') flushSync(() => navigate('/'))
      document.querySelector<HTMLElement>('input[type=search]')?.focus()
    }
    const goBack = () => {
      if (path !== '/')
        navigate(path.replace(/\/(changes|log\/.*)$/, '') === path ? '/' : path.replace(/\/(changes|log\/.*)$/, ''))
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [path, navigate, onHelp])
}

export function KeysSheet({ onClose }: { onClose: () => void }) {
  return (
    <Sheet title={words.keys.title} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, what]) => (
          <div key={key} className="key-line">
            <dt>
              {key.split(/ +/).map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Sheet>
  )
}

function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  rows[at === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus()
}
