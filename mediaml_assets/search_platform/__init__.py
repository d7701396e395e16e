"""What people see of match cuts: contact sheets, pages and preview clips."""
