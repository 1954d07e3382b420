import { create } from "zustand";

/** Whether the list of issues is unfolded. */
export const useIssueList = create<{ readonly open: boolean }>(() => ({ open: false }));

export const showIssues = (open: boolean) => useIssueList.setState({ open });
