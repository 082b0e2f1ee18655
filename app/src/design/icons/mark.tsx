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
