/** Keeps a fault of the page from leaving nothing of it. */
import { Component, type ReactNode } from "react";
import { Button, Notice } from "./controls";

export class Guard extends Component<{ children: ReactNode }, { fault: unknown }> {
  override state: { fault: unknown } = { fault: null };

  static getDerivedStateFromError(fault: unknown) {
    return { fault };
  }

  override render() {
    const { fault } = this.state;
    if (fault === null) return this.props.children;
    return (
      <Notice kind="bad" className="mt-8">
        <p>
          This page has a fault: {String(fault)} The songs and the work on them are safe, for they
          are the server's matter.
        </p>
        <Button className="mt-3" icon="retry" onClick={() => location.reload()}>
          Load it again
        </Button>
      </Notice>
    );
  }
}
