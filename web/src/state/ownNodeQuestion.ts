/** What is asked about a node of a person's own, while it is. */
import { create } from "zustand";

export type OwnNodeQuestion =
  | { readonly kind: "save"; readonly subgraph: string }
  | { readonly kind: "rename" | "delete"; readonly name: string };

export const useOwnNodeQuestion = create<{ readonly question: OwnNodeQuestion | undefined }>(() => ({
  question: undefined,
}));

export const askOwnNode = (question: OwnNodeQuestion | undefined): void =>
  useOwnNodeQuestion.setState({ question });
