/** Folders that package managers fill: the host installs them again. */
const INSTALLED =
  /^(.*?(?:^|\/)(?:node_modules|bower_components|\.venv|venv|\.tox|\.nox|__pypackages__|site-packages|\.eggs|vendor\/bundle|\.gradle|\.pnpm-store))(?:\/|$)/

/** What builds, tests and editors write: nobody misses it when git ignores it. */
const GENERATED_FOLDER =
  /(^|\/)(node_modules|bower_components|\.venv|venv|env|\.tox|\.nox|__pycache__|__pypackages__|site-packages|[^/]*\.egg-info|\.eggs|dist|build|out|output|target|bin|obj|lib|coverage|htmlcov|\.nyc_output|tmp|temp|logs?|vendor|Pods|DerivedData|\.[^/]+)\//
const GENERATED_FILE =
  /(^|\/)(\.DS_Store|Thumbs\.db|\.eslintcache|\.coverage[^/]*|npm-debug\.log[^/]*|yarn-error\.log|[^/]*\.(log|pid|tmp|swp|swo|bak|orig|rej|pyc|pyo|class|o|a|so|dylib|exe|dll|d|gcda|gcno|tsbuildinfo|cache|lock|min\.js|map|profraw))$/i

const SCRATCH =
  /(^|\/)(core|nohup\.out|[^/]*\.(orig|rej|tmp|bak|swp|pyc)|(scratch|debug|repro|tmp)[^/]*\.(js|mjs|ts|py|sh|txt|log)|__pycache__\/.*)$/i

const TEST = /(^|\/)(tests?|specs?|__tests__|e2e|cypress|playwright)\/|[._-](test|spec|cy|e2e)\.[cm]?[jt]sx?$/i
const FIXTURE = /(^|\/)(tests?|specs?|__tests__|fixtures?|__fixtures__|testdata|test-data|mocks?|examples?)\//i
const PROSE = /(^|\/)(licen[cs]e|notice|authors|changelog|readme)[^/]*$|\.(md|mdx|markdown|rst|adoc|txt)$/i

/** @returns the folder of installed packages that the path is in or that it is, or null */
export function installedFolder(path: string): string | null {
  return INSTALLED.exec(path)?.[1] ?? null
}

export function isGenerated(path: string): boolean {
  return GENERATED_FOLDER.test(path) || GENERATED_FILE.test(path)
}

/** Whether the name of a new file says that it was made on the way. */
export function isScratch(path: string): boolean {
  return SCRATCH.test(path)
}

export function isTest(path: string): boolean {
  return TEST.test(path)
}

/** Whether a file is material of a test, in which made-up keys are common. */
export function isFixture(path: string): boolean {
  return FIXTURE.test(path)
}

/** Whether no check could fail because of it. */
export function isProse(path: string): boolean {
  return PROSE.test(path)
}
