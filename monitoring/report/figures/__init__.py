"""The pictures of a report: each function turns figures of a run into one plotly figure."""
