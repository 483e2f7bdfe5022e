/** Unwraps what a failed call to the backend says. */
export function messageOf(error: unknown): string {
  const { data, message, statusText } = (error ?? {}) as {
    data?: { message?: string; error?: string };
    message?: string;
    statusText?: string;
  };
  return data?.message ?? data?.error ?? message ?? statusText ?? String(error);
}
