import { useStoreApi, type ReactFlowState } from "@xyflow/react";
import { useEffect } from "react";

export type View = Pick<ReactFlowState, "transform" | "width" | "height">;

/** Draw now and after each move of the view: what moves sixty times a second is not rendered by React. */
export function useEachView(draw: (view: View) => void): void {
  const store = useStoreApi();
  useEffect(() => {
    draw(store.getState());
    return store.subscribe((view, before) => {
      if (!sameView(view, before)) draw(view);
    });
  }, [draw, store]);
}

function sameView(one: View, other: View): boolean {
  return one.transform === other.transform && one.width === other.width && one.height === other.height;
}
