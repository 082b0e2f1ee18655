/** A random id. `crypto.randomUUID` exists only on HTTPS and localhost; a phone on the home network may use plain HTTP. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
