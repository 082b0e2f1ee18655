import { useState } from 'react'
import { Section } from '../design/screen/section.tsx'
import { readTheme, setTheme, type Theme } from '../device/theme.ts'
import { words } from '../text/words.ts'

const THEMES: ReadonlyArray<readonly [Theme, string]> = [
  ['system', words.settings.themeSystem],
  ['light', words.settings.themeLight],
  ['dark', words.settings.themeDark],
]

export function ThemeChoice() {
  const [theme, choose] = useState(readTheme)
  return (
    <Section id="look" title={words.settings.theme}>
      <fieldset className="choice">
        <legend className="hidden-for-eyes">{words.settings.theme}</legend>
        {THEMES.map(([value, word]) => (
          <label key={value}>
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => {
                setTheme(value)
                choose(value)
              }}
            />
            {word}
          </label>
        ))}
      </fieldset>
    </Section>
  )
}
