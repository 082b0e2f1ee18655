import './counts.css'

/** Lines that were added and removed; told by sign as well as by colour. */
export const Counts = ({ added, removed }: { added: number; removed: number }) => (
  <span className="counts numbers">
    <span className="good">+{added}</span> <span className="bad">−{removed}</span>
  </span>
)
