namespace flow::traffic {}
