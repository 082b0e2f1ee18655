/** Line icons on a grid of 24, drawn for this app. An icon never stands alone: a word is next to it or in its button's label. */
const PATHS = {
  tasks: 'M4 6h2M4 12h2M4 18h2M10 6h10M10 12h10M10 18h7',
  plus: 'M12 5v14M5 12h14',
  folder: 'M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  gauge: 'M4 18a9 9 0 1 1 16 0M12 14l4-5',
  back: 'M15 5l-7 7 7 7',
  more: 'M5 11.25a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5zM12 11.25a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5zM19 11.25a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5z',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l4.5 4.5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  stop: 'M8 6.5h8A1.5 1.5 0 0 1 17.5 8v8a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 16V8A1.5 1.5 0 0 1 8 6.5z',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4l3 2',
  play: 'M8 5.5v13l10-6.5z',
  alert: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 4v4h-4',
  cloudOff: 'M4 4l16 16M8 8a5 5 0 0 0-1 10h10M11 6.2A5.5 5.5 0 0 1 17 11a3.5 3.5 0 0 1 2.5 5.8',
  send: 'M5 12h13M12 5.5l6.5 6.5-6.5 6.5',
  branch: 'M7 4v11M7 15a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM17 4a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM17 9c0 4-4 4.5-8 5.5',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  down: 'M6 9.5l6 6 6-6',
  up: 'M6 14.5l6-6 6 6',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  right: 'M9.5 6l6 6-6 6',
  external: 'M14 5h5v5M19 5l-8 8M17 14v5H5V7h5',
  github:
    'M9 19.5c-4 1.2-4-2-5.5-2.5M15 21v-3.2c0-.9.1-1.4-.5-2 2.5-.3 5-1.3 5-5.4 0-1.1-.4-2.1-1.1-2.9.3-.8.3-1.8-.1-2.8 0 0-.9-.3-2.9 1.1a10 10 0 0 0-5.4 0C8 4.4 7.1 4.7 7.1 4.7c-.4 1-.4 2-.1 2.8A4.2 4.2 0 0 0 5.9 10.4c0 4.1 2.5 5.1 5 5.4-.4.4-.6 1-.6 1.7V21',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  terminal: 'M5 7l5 5-5 5M12 17h7',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** Errand's mark: a path that leaves, turns and comes back as an arrow. The files in `public/icons` are drawn from the same lines. */
export function Mark({ size = 40 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect width="64" height="64" rx="15" fill="#2c48b8" />
      <path
        d="M15 45h22a10.5 10.5 0 0 0 0-21H19M27 15.5 18 24l9 8.5"
        fill="none"
        stroke="#faf8f3"
        strokeWidth="5.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="15" cy="45" r="4.5" fill="#faf8f3" />
    </svg>
  )
}
