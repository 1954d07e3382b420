import { useCallback, useEffect, useState } from "react";
import { wordsOf } from "@/state/words";

interface Loaded<T> {
  readonly value: T | undefined;
  readonly problem: string | undefined;
  readonly reload: () => void;
}

/** What the server answers; asked again by `reload`. What was there stays until there is something newer. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value?: T; problem?: string }>({});
  const [count, setCount] = useState(0);
  useEffect(() => {
    let over = false;
    load().then(
      (value) => over || setState({ value }),
      (error: unknown) =>
        over || setState(({ value }) => ({ ...(value !== undefined && { value }), problem: wordsOf(error) })),
    );
    return () => {
      over = true;
    };
  }, [load, count]);
  const reload = useCallback(() => setCount((before) => before + 1), []);
  return { value: state.value, problem: state.problem, reload };
}
