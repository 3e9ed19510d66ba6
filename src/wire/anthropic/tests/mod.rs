//! What is sent for which call, and what is read from which answer.
