/** Of its own, because `trigger queue` can't wait until the whole schema is loaded. */
export const defaultSocketPath = '/run/triggerd/triggerd.sock';
