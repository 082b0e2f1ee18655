const MAX_BUDGET_USD = 1000

/** @returns US dollars as the server takes them, of what a person typed; null when they are not */
export function readBudget(text: string): number | null {
  const usd = text.trim() === '' ? Number.NaN : Number(text.trim().replace(',', '.'))
  return usd > 0 && usd <= MAX_BUDGET_USD ? usd : null
}
