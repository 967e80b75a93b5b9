/**
 * Ends the process as soon as what it has printed is written. What it still waits for keeps it no longer: a connection to
 * an address that answers nothing would take the kernel two minutes. Sockets of the bus must be closed by then.
 */
export const leave = async (exitCode: number): Promise<never> => {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(exitCode);
};

const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.errored != null || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
