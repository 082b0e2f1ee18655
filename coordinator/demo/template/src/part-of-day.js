/** The part of the day that an hour (0 to 23) belongs to. */
export const partOfDay = (hour) => {
  if (!Number.isInteger(hour) || hour < 0 || hour > 23) throw new RangeError(`not an hour of the day: ${hour}`)
  if (hour < 5) return 'night'
  if (hour <= 12) return 'morning'
  if (hour < 18) return 'afternoon'
  return 'evening'
}
