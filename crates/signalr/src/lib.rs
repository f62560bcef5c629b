//! The SignalR JSON hub protocol over WebSockets.
