import { Component, type ReactNode } from "react";

interface Props {
  readonly children: ReactNode;
  /** What is shown instead of what could not be drawn. */
  readonly fallback: (error: unknown) => ReactNode;
  /** What was drawn: once it is something else, it is tried again. */
  readonly subject: unknown;
}

interface State {
  readonly failed: { readonly error: unknown } | undefined;
}

/** Keeps a mistake in drawing one part from taking everything else off the screen. */
export class Boundary extends Component<Props, State> {
  override state: State = { failed: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { failed: { error } };
  }

  override componentDidUpdate({ subject }: Props): void {
    if (this.state.failed && subject !== this.props.subject) this.setState({ failed: undefined });
  }

  override render(): ReactNode {
    const { failed } = this.state;
    return failed ? this.props.fallback(failed.error) : this.props.children;
  }
}
