import './counts.css'

/** Added and removed lines, marked by sign as well as by colour. */
export function Counts({ added, removed }: { added: number; removed: number }) {
  return (
    <span className="counts numbers">
      <span className="good">+{added}</span> <span className="bad">−{removed}</span>
    </span>
  )
}
