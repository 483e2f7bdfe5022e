/** refused tells whether the backend said no, so that nothing was done; other failures may come after the deed. */
export function refused(error: unknown): boolean {
  const { status } = (error ?? {}) as { status?: number };
  return status !== undefined && status >= 400 && status < 500;
}

/** Unwraps what a failed call to the backend says. */
export function messageOf(error: unknown): string {
  const { data, message, statusText } = (error ?? {}) as {
    data?: { message?: string; error?: string };
    message?: string;
    statusText?: string;
  };
  return data?.message ?? data?.error ?? message ?? statusText ?? String(error);
}
