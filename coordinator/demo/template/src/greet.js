import { greetings } from './greetings.js'
import { partOfDay } from './part-of-day.js'

/** A greeting for `name`, at this hour (0 to 23) and in this language. */
export const greet = (name, { hour = new Date().getHours(), language = 'en' } = {}) => {
  const words = greetings[language]
  if (!words) throw new RangeError(`no greeting in this language: ${language}`)
  return `${words[partOfDay(hour)]}, ${name}!`
}
