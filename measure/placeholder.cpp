namespace flow::measure {}
