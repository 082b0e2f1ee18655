/** What to say, by language and part of the day. */
export const greetings = {
  en: { night: 'Good night', morning: 'Good morning', afternoon: 'Good afternoon', evening: 'Good evening' },
  de: { night: 'Gute Nacht', morning: 'Guten Morgen', afternoon: 'Guten Tag', evening: 'Guten Abend' },
}
