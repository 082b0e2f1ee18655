/** What is too long for a screen, so that the scenes can show how it is folded, cut and read by pieces. */

export const LONG_PROMPT = `The fog signal goes off in clear weather.

What I saw, in order:
${Array.from({ length: 18 }, (_, index) => `${index + 1}. At ${String(4 + (index % 12)).padStart(2, '0')}:${String((index * 7) % 60).padStart(2, '0')} the signal sounded for ${3 + (index % 4)} seconds, visibility ${8 + (index % 5)} miles.`).join('\n')}

Find out why, mend it, and add a test that would have caught it.`

/** More than one piece of the log's page. */
export const LONG_OUTPUT = Array.from(
  { length: 12_000 },
  (_, index) =>
    `${String(index + 1).padStart(5, '0')}  flash ${(index * 37) % 360}°  ${((index * 7919) % 1000) / 10} cd  ${index % 97 === 0 ? 'slow' : 'ok'}`,
).join('\n')

export const ANSI = `\u001b[1mbench\u001b[0m \u001b[2mv1.4.0\u001b[0m
\u001b[32m✔\u001b[39m lamp        \u001b[33m12.4 ms\u001b[39m
\u001b[32m✔\u001b[39m lens         \u001b[33m3.1 ms\u001b[39m
\u001b[31m✖ fog signal\u001b[39m  \u001b[4mtimeout\u001b[24m
\u001b[36minfo\u001b[39m \u001b[3mtwo of three\u001b[23m\n`

/** A file of every kind that a change can be. */
export const MIXED_PATCH = `diff --git a/src/assets.ts b/src/assets.ts
index 1111111..2222222 100644
--- a/src/assets.ts
+++ b/src/assets.ts
@@ -1,6 +1,8 @@
-export const lamp = './lamp.svg'
-export const lens = './lens.svg'
+export const lamp = new URL('./pictures/lamp.svg', import.meta.url).href
+export const lens = new URL('./pictures/lens.svg', import.meta.url).href
+
+/** The order in which they are drawn: what stands behind comes first, so that the beam lies over the lens and the lens over the lamp. */
 export const all = [lamp, lens]
 
-export default all
+export const count = all.length
 // end
diff --git a/pictures/lamp.png b/pictures/lamp.png
index 3333333..4444444 100644
Binary files a/pictures/lamp.png and b/pictures/lamp.png differ
diff --git a/lens.svg b/src/pictures/lens.svg
similarity index 100%
rename from lens.svg
rename to src/pictures/lens.svg
diff --git a/lamp.svg b/src/pictures/lamp.svg
similarity index 80%
rename from lamp.svg
rename to src/pictures/lamp.svg
index 5555555..6666666 100644
--- a/lamp.svg
+++ b/src/pictures/lamp.svg
@@ -1,3 +1,3 @@
 <svg viewBox="0 0 64 64">
-  <circle r="20"/>
+  <circle cx="32" cy="32" r="20"/>
 </svg>
diff --git a/old/readme.txt b/old/readme.txt
deleted file mode 100644
index 7777777..0000000
--- a/old/readme.txt
+++ /dev/null
@@ -1,3 +0,0 @@
-These are the old pictures.
-They are not used any more.
-Ask before you remove them.
diff --git a/src/pictures/index.ts b/src/pictures/index.ts
new file mode 100644
index 0000000..8888888
--- /dev/null
+++ b/src/pictures/index.ts
@@ -0,0 +1,2 @@
+export * from '../assets.ts'
+export { draw } from './draw.ts'
`

export const HUGE_PATCH = `diff --git a/data/flashes.csv b/data/flashes.csv
new file mode 100644
index 0000000..9999999
--- /dev/null
+++ b/data/flashes.csv
@@ -0,0 +1,2200 @@
${Array.from({ length: 2_200 }, (_, index) => `+${index},${(index * 37) % 360},ok`).join('\n')}
`
