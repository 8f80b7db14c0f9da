import { Component, type ReactNode } from 'react';

import { Failure } from './Notice.tsx';

/** A page whose file does not come, as after an update of the hub, says so and can be loaded again. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { reason: string | null }> {
  override state = { reason: null };

  static getDerivedStateFromError(error: unknown) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { reason } = this.state;
    return reason === null ? (
      this.props.children
    ) : (
      <div className="page">
        <Failure reason={reason} again={() => location.reload()} />
      </div>
    );
  }
}
