import { useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { useClient } from '../client/hooks.ts'
import { type Filters, NO_FILTERS, STATUSES } from './task-filters.tsx'

/** The filters of the list: those in the URL, so that a link or going back leads to the same list, or else those last used. */
export function useFilters(): [Filters, (next: Filters) => void] {
  const { drafts } = useClient()
  const [, navigate] = useLocation()
  const query = new URLSearchParams(useSearch())
  const [filters, setFilters] = useState<Filters>(() => {
    const read = (place: string) => query.get(place) ?? drafts.read(place)
    const status = STATUSES.find((known) => known === read('status')) ?? NO_FILTERS.status
    return { status, repoUrl: read('repository'), search: drafts.read('search') }
  })
  const change = (next: Filters) => {
    const narrowed = { status: next.status, repository: next.repoUrl }
    for (const [place, text] of Object.entries({ ...narrowed, search: next.search })) drafts.write(place, text)
    setFilters(next)
    // Browsers limit changes of the URL, so a keystroke makes none.
    if (next.status === filters.status && next.repoUrl === filters.repoUrl) return
    const given = Object.entries(narrowed).filter(([, text]) => text !== '')
    navigate(given.length > 0 ? `/?${new URLSearchParams(given)}` : '/', { replace: true })
  }
  return [filters, change]
}
