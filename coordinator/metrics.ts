/** What `/metrics` shows. */
export type Metrics = {
  contentType: string
  text: () => Promise<string>
}
